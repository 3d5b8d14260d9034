-- Among many passages, the HNSW graph leads to nearly all of the nearest,
nearest_{t} as materialized (
  select {t} as target, c.source_id, c.n, c.embedding <=> {vector} as distance
  from {table} c
  where {vector} is not null and {scope}
  order by c.embedding <=> {vector}
  limit $2
),
-- and words lead to those that have most of them: fewer are asked for only as long as too few passages are found.
every_{t} as materialized (
  select c.source_id, c.n, cardinality({each})::bigint as held
  from {table} c
  where c.tsv @@ {every} and {scope}
  limit {enough}
),
most_{t} as materialized (
  select c.source_id, c.n, (select count(*) from unnest({each}) as word where c.tsv @@ word) as held
  from {table} c
  where (select count(*) from every_{t}) < $2 and c.tsv @@ {most} and {scope}
  limit {more}
),
few_{t} as materialized (
  select c.source_id, c.n, (select count(*) from unnest({each}) as word where c.tsv @@ word) as held
  from {table} c
  where (select greatest((select count(*) from every_{t}), (select count(*) from most_{t}))) < $2
    and c.tsv @@ {few} and {scope}
  limit {looked_at}
),
found_{t} as materialized (
  select {t} as target, * from (table every_{t} union table most_{t} union table few_{t}) as f
)
