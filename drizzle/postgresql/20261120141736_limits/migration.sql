CREATE UNLOGGED TABLE "rate_counters" (
	"key" text PRIMARY KEY,
	"points" bigint NOT NULL,
	"expire" bigint
);
--> statement-breakpoint
CREATE INDEX "attempts_turns" ON "attempts" ("provider","project_id","run_after","id") WHERE "state" in ('PLANNED', 'ACCEPTED');--> statement-breakpoint
CREATE INDEX "attempts_unpriced" ON "attempts" ("project_id","finished_at","id") WHERE "finished_at" is not null and "cost_micros" is null and "charged" <> 'NO';--> statement-breakpoint
CREATE INDEX "tasks_open_of_key" ON "tasks" ("api_key_id") WHERE "status" in ('QUEUED', 'RUNNING') and "api_key_id" is not null;