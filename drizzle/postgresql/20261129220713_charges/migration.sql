ALTER TABLE "attempts" ADD COLUMN "estimated_micros" bigint;--> statement-breakpoint
ALTER TABLE "attempts" ADD COLUMN "charge_policy" text;--> statement-breakpoint
ALTER TABLE "attempts" ADD COLUMN "billed_without_permit" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "ledger" ADD COLUMN "source" text;--> statement-breakpoint
ALTER TABLE "usage_days" ADD COLUMN "estimated_costs" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "usage_days" ADD COLUMN "estimated_micros" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "usage_quarter_hours" ADD COLUMN "estimated_costs" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "usage_quarter_hours" ADD COLUMN "estimated_micros" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
DROP INDEX "attempts_unpriced";--> statement-breakpoint
CREATE INDEX "attempts_unpriced" ON "attempts" ("project_id","finished_at","id") WHERE "finished_at" is not null and "cost_micros" is null and "estimated_micros" is null and "charged" <> 'NO';--> statement-breakpoint
CREATE INDEX "attempts_estimated" ON "attempts" ("project_id","finished_at","id") WHERE "estimated_micros" is not null;