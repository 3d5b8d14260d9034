-- $1 text of the question, $2 and $3 schemas and tables: each word of the question as a query, and about how many
-- passages of each table have it. Words that the statistics of a table do not list as frequent are taken for rare.
with asked as materialized (select lexeme from unnest(to_tsvector('english', $1))),
frequent as materialized (
  select s.schemaname, s.tablename, e.lexeme, e.share
  from pg_stats s
  cross join lateral unnest(s.most_common_elems::text::text[], s.most_common_elem_freqs) as e (lexeme, share)
  where s.attname = 'tsv' and s.schemaname = any($2::text[]) and s.tablename = any($3::text[])
)
select quote_literal(asked.lexeme) as word, coalesce(f.share, 0) * greatest(c.reltuples, 0) as passages
from unnest($2::text[], $3::text[]) with ordinality as t (schema, name, place)
join pg_class c on c.oid = (t.schema || '.' || t.name)::regclass
cross join asked
left join frequent f on f.schemaname = t.schema and f.tablename = t.name and f.lexeme = asked.lexeme
order by place, passages, word
