-- +goose Up
create table things (
	id     text   not null primary key,
	count  bigint not null,
	share  double precision,
	open   boolean,
	data   bytea,
	kind   text
);

-- +goose Down
drop table things;
