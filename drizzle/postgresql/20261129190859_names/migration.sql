ALTER TABLE "provider_rests" RENAME TO "provider_cooldowns";--> statement-breakpoint
ALTER TABLE "usage_quarters" RENAME TO "usage_quarter_hours";--> statement-breakpoint
ALTER TABLE "provider_cooldowns" RENAME CONSTRAINT "provider_rests_pkey" TO "provider_cooldowns_pkey";--> statement-breakpoint
ALTER TABLE "usage_quarter_hours" RENAME CONSTRAINT "usage_quarters_pkey" TO "usage_quarter_hours_pkey";--> statement-breakpoint
ALTER TABLE "attempts" RENAME COLUMN "missing" TO "missing_checks";--> statement-breakpoint
ALTER TABLE "webhook_deliveries" RENAME COLUMN "lane" TO "slot";--> statement-breakpoint
ALTER INDEX "attempts_turns" RENAME TO "attempts_due_by_project";--> statement-breakpoint
ALTER INDEX "attempts_in_doubt" RENAME TO "attempts_unknown";--> statement-breakpoint
ALTER INDEX "webhook_deliveries_lanes" RENAME TO "webhook_deliveries_slots";