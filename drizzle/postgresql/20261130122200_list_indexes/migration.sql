DROP INDEX "audit_log_subject";--> statement-breakpoint
CREATE INDEX "api_keys_not_revoked" ON "api_keys" ("project_id","created_at","id") WHERE "revoked_at" is null;--> statement-breakpoint
CREATE INDEX "assets_newest" ON "assets" ("project_id","kind","created_at","id");--> statement-breakpoint
CREATE INDEX "attempts_unknown_of_provider" ON "attempts" ("project_id","provider","sent_at","id") WHERE "state" = 'UNKNOWN';--> statement-breakpoint
CREATE INDEX "attempts_unpriced_of_provider" ON "attempts" ("project_id","provider","finished_at","id") WHERE "finished_at" is not null and "cost_micros" is null and "estimated_micros" is null and "charged" <> 'NO';--> statement-breakpoint
CREATE INDEX "attempts_estimated_of_provider" ON "attempts" ("project_id","provider","finished_at","id") WHERE "estimated_micros" is not null;--> statement-breakpoint
CREATE INDEX "audit_log_newest" ON "audit_log" ("at","id");--> statement-breakpoint
CREATE INDEX "audit_log_of_project" ON "audit_log" ("project_id","at","id");--> statement-breakpoint
CREATE INDEX "audit_log_of_subject" ON "audit_log" ("subject","at","id");--> statement-breakpoint
CREATE INDEX "projects_oldest" ON "projects" ("created_at","id");--> statement-breakpoint
CREATE INDEX "webhook_deliveries_by_state" ON "webhook_deliveries" ("project_id","state","id");--> statement-breakpoint
CREATE INDEX "webhook_deliveries_of_endpoint" ON "webhook_deliveries" ("endpoint_id","id");--> statement-breakpoint
CREATE INDEX "webhook_deliveries_of_endpoint_by_state" ON "webhook_deliveries" ("endpoint_id","state","id");