CREATE TABLE "data_folders" (
	"id" text PRIMARY KEY,
	"host" text NOT NULL,
	"last_seen_at" bigint NOT NULL,
	"lost_at" bigint
);
--> statement-breakpoint
CREATE TABLE "database_info" (
	"id" text PRIMARY KEY
);
--> statement-breakpoint
ALTER TABLE "attempts" ADD COLUMN "data_folder_id" text;--> statement-breakpoint
ALTER TABLE "attempts" ADD COLUMN "failed_checks" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "attempts" ADD COLUMN "unobserved_ms" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
INSERT INTO "database_info" ("id") VALUES (replace(gen_random_uuid()::text, '-', ''));