-- +goose Up
-- The trace of the change that made the rule speak; '' where it is not followed. Processes of before this leave it so.
alter table alert_deliveries add column traceparent text not null default '';
