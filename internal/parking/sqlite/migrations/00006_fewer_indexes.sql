-- +goose Up
-- Counts of lots and of their zones are read from one index, so that a change of status writes one and not two.
drop index spots_by_lot;
drop index spots_by_zone;
create index spots_by_lot on spots (lot_id, zone_id, status);
create index spots_by_zone on spots (zone_id);
