ALTER TABLE `assets` ADD `frames` integer DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE `assets` ADD `duration_ms` integer;--> statement-breakpoint
ALTER TABLE `assets` ADD `plays` integer;--> statement-breakpoint
ALTER TABLE `attempts` ADD `svg_input_tokens` integer;--> statement-breakpoint
ALTER TABLE `attempts` ADD `svg_output_tokens` integer;--> statement-breakpoint
ALTER TABLE `attempts` ADD `svg_reasoning_tokens` integer;--> statement-breakpoint
ALTER TABLE `attempts` ADD `svg_cost_micros` integer;--> statement-breakpoint
ALTER TABLE `ledger` ADD `svg_micros` integer;--> statement-breakpoint
ALTER TABLE `usage_days` ADD `svg_cost_micros` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `usage_days` ADD `svg_input_tokens` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `usage_days` ADD `svg_output_tokens` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `usage_days` ADD `svg_reasoning_tokens` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `usage_quarter_hours` ADD `svg_cost_micros` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `usage_quarter_hours` ADD `svg_input_tokens` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `usage_quarter_hours` ADD `svg_output_tokens` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `usage_quarter_hours` ADD `svg_reasoning_tokens` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
-- Not drizzle-kit's copy of the table: references to it stay, and no row is rewritten.
ALTER TABLE `assets` DROP CONSTRAINT "assets_kind";--> statement-breakpoint
ALTER TABLE `assets` ADD CONSTRAINT "assets_kind" CHECK("kind" in ('FINAL', 'PARTIAL', 'INPUT', 'MASK', 'MARKUP'));--> statement-breakpoint
ALTER TABLE `assets` DROP CONSTRAINT "assets_mime_type";--> statement-breakpoint
ALTER TABLE `assets` ADD CONSTRAINT "assets_mime_type" CHECK("mime_type" in ('image/png', 'image/jpeg', 'image/webp', 'image/gif', 'image/svg+xml'));