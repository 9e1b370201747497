-- +goose Up
create table dialect (name text not null);
insert into dialect values ('postgres');

-- +goose Down
drop table dialect;
