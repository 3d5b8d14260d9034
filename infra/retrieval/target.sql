-- By meaning: few rows are compared one by one; among many, the HNSW graph leads to nearly all of the nearest.
size_{t} as materialized (
  select count(*)::int as rows from (select from {table} c where {scope} limit {exact_rows} + 1) as counted
),
compared_{t} as materialized (
  select c.source_id, c.n, c.embedding <=> {vector} as distance
  from {table} c
  where {vector} is not null and (select rows from size_{t}) <= {exact_rows} and {scope}
),
walked_{t} as materialized (
  select c.source_id, c.n, c.embedding <=> {vector} as distance
  from {table} c
  where {vector} is not null and (select rows from size_{t}) > {exact_rows} and {scope}
  order by c.embedding <=> {vector}
  limit $2
),
nearest_{t} as (
  select {t} as target, source_id, n, distance
  from (select * from compared_{t} union all select * from walked_{t}) as candidates
  order by distance, source_id, n
  limit $2
),
-- By words: one is enough to be found. First counts how many of them a passage has.
found_{t} as materialized (
  select {t} as target, c.source_id, c.n, count(*) as held
  from asked cross join unnest(words) as word
  join {table} c on c.tsv @@ quote_literal(word)::tsquery
  where {scope}
  group by c.source_id, c.n
)
