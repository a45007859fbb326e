CREATE TABLE `api_keys` (
	`id` text PRIMARY KEY,
	`project_id` text NOT NULL,
	`name` text NOT NULL,
	`handle` text NOT NULL,
	`secret_sha256` text NOT NULL,
	`scopes` text NOT NULL,
	`limits` text,
	`created_at` integer NOT NULL,
	`expires_at` integer,
	`revoked_at` integer,
	`last_used_at` integer,
	CONSTRAINT `fk_api_keys_project_id_projects_id_fk` FOREIGN KEY (`project_id`) REFERENCES `projects`(`id`)
);
--> statement-breakpoint
CREATE TABLE `budgets` (
	`owner` text NOT NULL,
	`period` text NOT NULL,
	`project_id` text NOT NULL,
	`limit_micros` integer NOT NULL,
	`set_at` integer NOT NULL,
	CONSTRAINT `budgets_pk` PRIMARY KEY(`owner`, `period`),
	CONSTRAINT "budgets_period" CHECK("period" in ('DAY', 'MONTH', 'TOTAL')),
	CONSTRAINT "budgets_limit" CHECK("limit_micros" >= 0)
);
--> statement-breakpoint
CREATE TABLE `ledger` (
	`id` text PRIMARY KEY,
	`project_id` text NOT NULL,
	`attempt_id` text NOT NULL,
	`kind` text NOT NULL,
	`amount_micros` integer,
	`at` integer NOT NULL,
	CONSTRAINT `fk_ledger_attempt_id_attempts_id_fk` FOREIGN KEY (`attempt_id`) REFERENCES `attempts`(`id`),
	CONSTRAINT "ledger_kind" CHECK("kind" in ('HOLD', 'POST', 'VOID', 'ADJUST')),
	CONSTRAINT "ledger_amount" CHECK(case "kind" when 'ADJUST' then "amount_micros" is not null when 'POST' then "amount_micros" is not null and "amount_micros" >= 0 else coalesce("amount_micros", 0) >= 0 end)
);
--> statement-breakpoint
CREATE TABLE `spending` (
	`owner` text NOT NULL,
	`period` text NOT NULL,
	`starts_at` integer NOT NULL,
	`held_micros` integer DEFAULT 0 NOT NULL,
	`spent_micros` integer DEFAULT 0 NOT NULL,
	CONSTRAINT `spending_pk` PRIMARY KEY(`owner`, `period`, `starts_at`),
	CONSTRAINT "spending_period" CHECK("period" in ('DAY', 'MONTH', 'TOTAL')),
	CONSTRAINT "spending_held" CHECK("held_micros" >= 0),
	CONSTRAINT "spending_spent" CHECK("spent_micros" >= 0)
);
--> statement-breakpoint
CREATE TABLE `usage_days` (
	`starts_at` integer NOT NULL,
	`provider` text NOT NULL,
	`model` text NOT NULL,
	`api_key_id` text NOT NULL,
	`project_id` text NOT NULL,
	`tasks` integer DEFAULT 0 NOT NULL,
	`attempts` integer DEFAULT 0 NOT NULL,
	`images` integer DEFAULT 0 NOT NULL,
	`unknown_costs` integer DEFAULT 0 NOT NULL,
	`unknown_usages` integer DEFAULT 0 NOT NULL,
	`held_micros` integer DEFAULT 0 NOT NULL,
	`cost_micros` integer DEFAULT 0 NOT NULL,
	`input_tokens` integer DEFAULT 0 NOT NULL,
	`output_tokens` integer DEFAULT 0 NOT NULL,
	`total_tokens` integer DEFAULT 0 NOT NULL,
	`input_text_tokens` integer DEFAULT 0 NOT NULL,
	`input_image_tokens` integer DEFAULT 0 NOT NULL,
	`output_text_tokens` integer DEFAULT 0 NOT NULL,
	`output_image_tokens` integer DEFAULT 0 NOT NULL,
	CONSTRAINT `usage_days_pk` PRIMARY KEY(`starts_at`, `provider`, `model`, `project_id`, `api_key_id`)
);
--> statement-breakpoint
CREATE TABLE `usage_quarters` (
	`starts_at` integer NOT NULL,
	`provider` text NOT NULL,
	`model` text NOT NULL,
	`api_key_id` text NOT NULL,
	`project_id` text NOT NULL,
	`tasks` integer DEFAULT 0 NOT NULL,
	`attempts` integer DEFAULT 0 NOT NULL,
	`images` integer DEFAULT 0 NOT NULL,
	`unknown_costs` integer DEFAULT 0 NOT NULL,
	`unknown_usages` integer DEFAULT 0 NOT NULL,
	`held_micros` integer DEFAULT 0 NOT NULL,
	`cost_micros` integer DEFAULT 0 NOT NULL,
	`input_tokens` integer DEFAULT 0 NOT NULL,
	`output_tokens` integer DEFAULT 0 NOT NULL,
	`total_tokens` integer DEFAULT 0 NOT NULL,
	`input_text_tokens` integer DEFAULT 0 NOT NULL,
	`input_image_tokens` integer DEFAULT 0 NOT NULL,
	`output_text_tokens` integer DEFAULT 0 NOT NULL,
	`output_image_tokens` integer DEFAULT 0 NOT NULL,
	CONSTRAINT `usage_quarters_pk` PRIMARY KEY(`project_id`, `starts_at`, `provider`, `model`, `api_key_id`)
);
--> statement-breakpoint
ALTER TABLE `attempts` ADD `api_key_id` text;--> statement-breakpoint
ALTER TABLE `attempts` ADD `images` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `attempts` ADD `held_micros` integer;--> statement-breakpoint
ALTER TABLE `projects` ADD `limits` text;--> statement-breakpoint
ALTER TABLE `tasks` ADD `api_key_id` text;--> statement-breakpoint
CREATE UNIQUE INDEX `api_keys_handle` ON `api_keys` (`handle`);--> statement-breakpoint
CREATE INDEX `api_keys_of_project` ON `api_keys` (`project_id`,`created_at`,`id`);--> statement-breakpoint
CREATE INDEX `attempts_by_time` ON `attempts` (`project_id`,`created_at`);--> statement-breakpoint
CREATE INDEX `budgets_of_project` ON `budgets` (`project_id`);--> statement-breakpoint
CREATE UNIQUE INDEX `ledger_hold_once` ON `ledger` (`attempt_id`) WHERE "ledger"."kind" = 'HOLD';--> statement-breakpoint
CREATE UNIQUE INDEX `ledger_close_once` ON `ledger` (`attempt_id`) WHERE "ledger"."kind" in ('POST', 'VOID');--> statement-breakpoint
CREATE INDEX `ledger_of_attempt` ON `ledger` (`attempt_id`,`id`);