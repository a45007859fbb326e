CREATE TABLE "deleted_images" (
	"id" text PRIMARY KEY,
	"project_id" text NOT NULL,
	"task_id" text NOT NULL,
	"attempt_id" text,
	"kind" text NOT NULL,
	"position" integer NOT NULL,
	"deleted_at" bigint NOT NULL,
	CONSTRAINT "deleted_images_kind" CHECK ("kind" in ('FINAL', 'PARTIAL', 'INPUT', 'MASK'))
);
--> statement-breakpoint
ALTER TABLE "tasks" ADD COLUMN "changes" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "tasks" ADD COLUMN "deleted_at" bigint;--> statement-breakpoint
DROP INDEX "tasks_newest";--> statement-breakpoint
CREATE INDEX "tasks_newest" ON "tasks" ("project_id","created_at","id","deleted_at") WHERE "deleted_at" is null;--> statement-breakpoint
DROP INDEX "tasks_by_status";--> statement-breakpoint
CREATE INDEX "tasks_by_status" ON "tasks" ("project_id","status","created_at","id","deleted_at") WHERE "deleted_at" is null;--> statement-breakpoint
DROP INDEX "tasks_by_model";--> statement-breakpoint
CREATE INDEX "tasks_by_model" ON "tasks" ("project_id","model","status","created_at","id","deleted_at") WHERE "deleted_at" is null;--> statement-breakpoint
DROP INDEX "tasks_by_end";--> statement-breakpoint
CREATE INDEX "tasks_by_end" ON "tasks" ("project_id","status","finished_at","id","deleted_at") WHERE "finished_at" is not null and "deleted_at" is null;--> statement-breakpoint
CREATE INDEX "deleted_images_of_task" ON "deleted_images" ("task_id");--> statement-breakpoint
ALTER TABLE "deleted_images" ADD CONSTRAINT "deleted_images_task_id_tasks_id_fkey" FOREIGN KEY ("task_id") REFERENCES "tasks"("id");
--> statement-breakpoint
-- A late outcome labels no deleted task.
CREATE OR REPLACE FUNCTION attempts_labels() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  task record;
  charge text;
BEGIN
  select 'charged:' || case max(case charged when 'YES' then 2 when 'UNKNOWN' then 1 else 0 end) when 2 then 'YES' when 1 then 'UNKNOWN' else 'NO' end into charge from attempts where task_id = new.task_id;
  select project_id, created_at, deleted_at into task from tasks where id = new.task_id;
  if task.deleted_at is not null then
    return null;
  end if;
  if tg_op = 'INSERT' then
    insert into task_labels (project_id, label, created_at, task_id)
    values (task.project_id, 'provider:' || new.provider, task.created_at, new.task_id) on conflict do nothing;
  end if;
  delete from task_labels where project_id = task.project_id and created_at = task.created_at and task_id = new.task_id
    and label in ('charged:NO', 'charged:UNKNOWN', 'charged:YES') and label <> charge;
  insert into task_labels (project_id, label, created_at, task_id)
  values (task.project_id, charge, task.created_at, new.task_id) on conflict do nothing;
  return null;
END $$;
