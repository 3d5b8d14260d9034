-- $1 vector of the question or null, $2 its text, $3 candidates of each kind, $4 and $5 weights of meaning and of
-- words, $6 recency, $7 half-life in days, $8 minimum score, $9 limit; the scope's parameters follow.
with
asked as materialized (
  select
    array_agg(lexeme) as words,
    string_agg(quote_literal(lexeme), ' | ')::tsquery as any_word,
    string_agg(quote_literal(lexeme), ' & ')::tsquery as every_word
  from unnest(to_tsvector('english', $2))
),

-- By meaning: few rows are compared one by one; among many, the HNSW graph leads to nearly all of the nearest.
size as materialized (
  select count(*) as rows from (select from {table} c where {scope} limit {exact_rows} + 1) as counted
),
compared as materialized (
  select c.session_id, c.n, c.embedding <=> $1::halfvec as distance
  from {table} c
  where $1::halfvec is not null and (select rows from size) <= {exact_rows} and {scope}
),
walked as materialized (
  select c.session_id, c.n, c.embedding <=> $1::halfvec as distance
  from {table} c
  where $1::halfvec is not null and (select rows from size) > {exact_rows} and {scope}
  order by c.embedding <=> $1::halfvec
  limit $3
),
near as (
  select session_id, n, greatest(1 - distance, 0) as similarity, rank() over (order by distance) as place
  from (select * from compared union all select * from walked) as candidates
  order by distance, session_id, n
  limit $3
),

-- By words: one is enough to be found. First counts how many of them a passage has, then how close they stand.
found as materialized (
  select c.session_id, c.n, count(*) as held
  from asked cross join unnest(words) as word
  join {table} c on c.tsv @@ quote_literal(word)::tsquery
  where {scope}
  group by c.session_id, c.n
),
said as (
  select
    session_id, n, held::float8 / cardinality(words) as coverage,
    rank() over (
      order by
        held desc,
        ts_rank_cd(c.tsv, case when held = cardinality(words) then every_word else any_word end, 1) desc
    ) as place
  from asked cross join found join {table} c using (session_id, n)
  where held >= coalesce((select held from found order by held desc offset $3 - 1 limit 1), 0)
  order by place, session_id, n
  limit $3
),

-- Reciprocal rank fusion (k = 60) in which each place counts as much as the match is good in itself.
fused as (
  select
    session_id, n, coalesce(coverage, 0) as coverage,
    (
      $4::float8 * coalesce(similarity * 61 / (60 + near.place), 0)
      + $5::float8 * coalesce(coverage * 61 / (60 + said.place), 0)
    ) / (
      case when $1::halfvec is null then 0 else $4::float8 end
      + case when words is null then 0 else $5::float8 end
    ) as relevance
  from near full join said using (session_id, n) cross join asked
),
scored as (
  select
    c.*, f.coverage, 1 - (c.embedding <=> $1::halfvec) as similarity,
    f.relevance * (1 - $6::float8 + $6::float8 * freshness) as score
  from fused f
  join {table} c using (session_id, n)
  cross join lateral (
    select power(0.5, greatest(extract(epoch from now() - c.recorded_at), 0)::float8 / 86400 / $7::float8) as freshness
  ) as age
)
select
  session_id, n, job_id, text, start_char, end_char, start_s, end_s, recorded_at, score, similarity, coverage
from scored
where score >= $8::float8
order by score desc, session_id, n
limit $9
