CREATE TABLE "task_classes" (
	"id" integer PRIMARY KEY,
	"project_id" text NOT NULL,
	"status" text NOT NULL,
	"operation" text NOT NULL,
	"model" text NOT NULL,
	"providers" jsonb NOT NULL,
	"charged" text NOT NULL,
	"has_warnings" boolean NOT NULL,
	"favorite" boolean NOT NULL,
	"is_long" boolean NOT NULL
);
--> statement-breakpoint
CREATE TABLE "class_tasks" (
	"task_id" text PRIMARY KEY,
	"class_id" integer NOT NULL,
	"created_at" bigint NOT NULL,
	"finished_at" bigint
);
--> statement-breakpoint
CREATE SEQUENCE task_class_ids AS integer;
--> statement-breakpoint
CREATE UNIQUE INDEX "task_classes_values" ON "task_classes" ("project_id","status","operation","model","providers","charged","has_warnings","favorite","is_long");
--> statement-breakpoint
CREATE VIEW task_class_values AS SELECT t.id AS task_id, t.project_id, t.status, t.operation, t.model, a.providers, a.charged,
  t.warnings <> '[]' AS has_warnings, t.favorite, coalesce(t.finished_at - t.created_at not between 0 and 3600000, false) AS is_long,
  t.created_at, t.finished_at
FROM tasks t CROSS JOIN LATERAL (
  select coalesce(jsonb_agg(distinct provider), '[]') as providers, case max(case charged when 'YES' then 3 when 'UNKNOWN' then 2 else 1 end) when 3 then 'YES' when 2 then 'UNKNOWN' when 1 then 'NO' else '' end as charged from attempts where task_id = t.id
) a WHERE t.deleted_at is null;
--> statement-breakpoint
CREATE TEMPORARY TABLE classified ON COMMIT DROP AS SELECT * FROM task_class_values;
--> statement-breakpoint
INSERT INTO task_classes (id, project_id, status, operation, model, providers, charged, has_warnings, favorite, is_long)
SELECT nextval('task_class_ids'), * FROM (SELECT DISTINCT project_id, status, operation, model, providers, charged, has_warnings, favorite, is_long FROM classified) AS classes;
--> statement-breakpoint
INSERT INTO class_tasks (task_id, class_id, created_at, finished_at)
SELECT v.task_id, c.id, v.created_at, v.finished_at FROM classified v JOIN task_classes c USING (project_id, status, operation, model, providers, charged, has_warnings, favorite, is_long);
--> statement-breakpoint
CREATE INDEX "class_tasks_newest" ON "class_tasks" ("class_id","created_at","task_id");
--> statement-breakpoint
CREATE INDEX "class_tasks_by_end" ON "class_tasks" ("class_id","finished_at","task_id","created_at") WHERE "finished_at" is not null;
--> statement-breakpoint
CREATE FUNCTION classify_task(of_task text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  v record;
  class integer;
BEGIN
  -- The next statement sees what the last holder of the lock has committed.
  perform 1 from class_tasks where task_id = of_task for update;
  select * into v from task_class_values where task_id = of_task;
  if not found then return; end if;
  loop
    select id into class from task_classes c where c.project_id = v.project_id and c.status = v.status and c.operation = v.operation and c.model = v.model and c.providers = v.providers and c.charged = v.charged and c.has_warnings = v.has_warnings and c.favorite = v.favorite and c.is_long = v.is_long;
    exit when found;
    insert into task_classes (id, project_id, status, operation, model, providers, charged, has_warnings, favorite, is_long)
    values (nextval('task_class_ids'), v.project_id, v.status, v.operation, v.model, v.providers, v.charged, v.has_warnings, v.favorite, v.is_long) on conflict do nothing;
  end loop;
  insert into class_tasks (task_id, class_id, created_at, finished_at)
  values (of_task, class, v.created_at, v.finished_at)
  on conflict (task_id) do update set class_id = excluded.class_id, finished_at = excluded.finished_at
  where (class_tasks.class_id, class_tasks.finished_at) is distinct from (excluded.class_id, excluded.finished_at);
END $$;
--> statement-breakpoint
DROP TRIGGER tasks_warnings ON tasks;
--> statement-breakpoint
DROP FUNCTION tasks_warnings;
--> statement-breakpoint
DROP TRIGGER IF EXISTS tasks_favorite ON tasks;
--> statement-breakpoint
DROP FUNCTION IF EXISTS tasks_favorite;
--> statement-breakpoint
CREATE OR REPLACE FUNCTION tasks_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  insert into task_labels (project_id, label, created_at, task_id)
  select new.project_id, label, new.created_at, new.id from (
  select 'key:' || new.api_key_id as label where new.api_key_id is not null
  union all select 'user:' || (new.request ->> 'user') where new.request ->> 'user' is not null
  union all select 'metadata:' || key || '=' || value from jsonb_each_text(new.request -> 'metadata')
  ) as labels;
  if new.operation = 'EDIT' then
    insert into task_inputs (asset_id, task_id)
    select asset, new.id from (
    select value ->> 'assetId' as asset from jsonb_array_elements(new.request -> 'images')
    union select new.request -> 'mask' ->> 'assetId'
  ) as inputs where asset is not null;
  end if;
  perform classify_task(new.id);
  return null;
END $$;
--> statement-breakpoint
CREATE FUNCTION tasks_class() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  perform classify_task(new.id);
  return null;
END $$;
--> statement-breakpoint
CREATE TRIGGER tasks_class AFTER UPDATE OF status, warnings, favorite, finished_at ON tasks FOR EACH ROW
WHEN (new.deleted_at is null and (old.status <> new.status or (old.warnings = '[]') <> (new.warnings = '[]')
  or old.favorite <> new.favorite or old.finished_at is distinct from new.finished_at)) EXECUTE FUNCTION tasks_class();
--> statement-breakpoint
CREATE FUNCTION tasks_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  delete from class_tasks where task_id = new.id;
  return null;
END $$;
--> statement-breakpoint
CREATE TRIGGER tasks_deleted AFTER UPDATE OF deleted_at ON tasks FOR EACH ROW
WHEN (new.deleted_at is not null) EXECUTE FUNCTION tasks_deleted();
--> statement-breakpoint
-- Called after an insert, and after a change of `charged`.
CREATE OR REPLACE FUNCTION attempts_labels() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  perform classify_task(new.task_id);
  return null;
END $$;
--> statement-breakpoint
DELETE FROM task_labels WHERE label like 'operation:%' or label like 'warnings:%' or label like 'provider:%' or label like 'charged:%' or label like 'favorite:%';
--> statement-breakpoint
DROP INDEX IF EXISTS "tasks_by_model";
--> statement-breakpoint
-- The images of markup were missing.
ALTER TABLE "deleted_images" DROP CONSTRAINT "deleted_images_kind", ADD CONSTRAINT "deleted_images_kind" CHECK ("kind" in ('FINAL', 'PARTIAL', 'INPUT', 'MASK', 'MARKUP'));