CREATE TABLE `data_folders` (
	`id` text PRIMARY KEY,
	`host` text NOT NULL,
	`last_seen_at` integer NOT NULL,
	`lost_at` integer
);
--> statement-breakpoint
CREATE TABLE `database_info` (
	`id` text PRIMARY KEY
);
--> statement-breakpoint
ALTER TABLE `attempts` ADD `data_folder_id` text;--> statement-breakpoint
ALTER TABLE `attempts` ADD `failed_checks` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `attempts` ADD `unobserved_ms` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
INSERT INTO `database_info` (`id`) VALUES (lower(hex(randomblob(16))));