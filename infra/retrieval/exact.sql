-- Few passages are looked at one by one, for their meaning and for their words.
compared_{t} as materialized (
  select {t} as target, c.source_id, c.n, c.embedding <=> {vector} as distance,
    (select count(*) from unnest({each}) as word where c.tsv @@ word) as held
  from {table} c
  where {scope}
),
nearest_{t} as (
  select target, source_id, n, distance from compared_{t} where distance is not null
  order by distance, source_id, n
  limit $2
),
found_{t} as (select target, source_id, n, held from compared_{t} where held > 0)
