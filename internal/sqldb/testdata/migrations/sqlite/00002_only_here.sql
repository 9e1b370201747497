-- +goose Up
create table dialect (name text not null);
insert into dialect values ('sqlite');

-- +goose Down
drop table dialect;
