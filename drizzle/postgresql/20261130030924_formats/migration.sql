ALTER TABLE "assets" ADD COLUMN "frames" integer DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE "assets" ADD COLUMN "duration_ms" integer;--> statement-breakpoint
ALTER TABLE "assets" ADD COLUMN "plays" integer;--> statement-breakpoint
ALTER TABLE "attempts" ADD COLUMN "svg_input_tokens" integer;--> statement-breakpoint
ALTER TABLE "attempts" ADD COLUMN "svg_output_tokens" integer;--> statement-breakpoint
ALTER TABLE "attempts" ADD COLUMN "svg_reasoning_tokens" integer;--> statement-breakpoint
ALTER TABLE "attempts" ADD COLUMN "svg_cost_micros" bigint;--> statement-breakpoint
ALTER TABLE "ledger" ADD COLUMN "svg_micros" bigint;--> statement-breakpoint
ALTER TABLE "usage_days" ADD COLUMN "svg_cost_micros" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "usage_days" ADD COLUMN "svg_input_tokens" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "usage_days" ADD COLUMN "svg_output_tokens" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "usage_days" ADD COLUMN "svg_reasoning_tokens" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "usage_quarter_hours" ADD COLUMN "svg_cost_micros" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "usage_quarter_hours" ADD COLUMN "svg_input_tokens" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "usage_quarter_hours" ADD COLUMN "svg_output_tokens" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "usage_quarter_hours" ADD COLUMN "svg_reasoning_tokens" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "assets" DROP CONSTRAINT "assets_kind", ADD CONSTRAINT "assets_kind" CHECK ("kind" in ('FINAL', 'PARTIAL', 'INPUT', 'MASK', 'MARKUP'));--> statement-breakpoint
ALTER TABLE "assets" DROP CONSTRAINT "assets_mime_type", ADD CONSTRAINT "assets_mime_type" CHECK ("mime_type" in ('image/png', 'image/jpeg', 'image/webp', 'image/gif', 'image/svg+xml'));