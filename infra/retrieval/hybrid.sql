-- $1 how many words the question has, $2 candidates of each kind, $3 and $4 weights of meaning and of words, $5 recency,
-- $6 half-life in days, $7 minimum score, $8 limit; the question's vectors, its words as each index is asked for them
-- and the scope's parameters follow.
with
-- Which vector each index was asked with: distances can be compared under the same one only.
targets (target, space, meant) as (values {spaces}),

{targets},

near as (
  select target, source_id, n, greatest(1 - distance, 0) as similarity, place
  from (
    select *, rank() over (partition by space order by distance) as place,
      row_number() over (partition by space order by distance, source_id, n) as row
    from ({nearest}) as candidates join targets using (target)
  ) as ranked
  where row <= $2
),

-- Of passages with as many of the words it counts how close they stand.
enough as materialized (
  select coalesce((select held from ({found}) as f order by held desc offset $2 - 1 limit 1), 0) as held
),
said as (
  select *, rank() over (order by coverage desc, density desc) as place
  from ({said}) as ranked
  order by place, source_id, n
  limit $2
),

-- Reciprocal rank fusion (k = 60) in which each place counts as much as the match is good in itself.
fused as (
  select
    target, source_id, n, coalesce(coverage, 0) as coverage, near.place as near_place, said.place as said_place,
    (
      $3::float8 * coalesce(similarity * 61 / (60 + near.place), 0)
      + $4::float8 * coalesce(coverage * 61 / (60 + said.place), 0)
    ) / (
      case when meant then $3::float8 else 0 end + case when $1::int = 0 then 0 else $4::float8 end
    ) as fused
  from near full join said using (target, source_id, n) join targets using (target)
),
scored as (
  select *, fused * (1 - $5::float8 + $5::float8 * freshness) as score
  from ({passages}) as passages
  cross join lateral (
    select power(0.5, greatest(extract(epoch from now() - recorded_at), 0)::float8 / 86400 / $6::float8) as freshness
  ) as age
)
select * from scored where score >= $7::float8 order by score desc, source_id, n limit $8
