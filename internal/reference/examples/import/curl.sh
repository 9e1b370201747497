api=http://localhost:5000/api/v1
auth="Authorization: Bearer $PARKWIRE_TOKEN"

curl "$api/lots" -H "$auth" -H 'Content-Type: application/json' \
  -d '{"id":"central","name":"Central Garage","timeZone":"Europe/Berlin"}'

# Look first what would happen, then do it.
curl "$api/lots/central/spots:import?createZones=1&dryRun=1" \
  -H "$auth" -H 'Content-Type: text/csv' --data-binary @spots.csv
curl "$api/lots/central/spots:import?createZones=1" \
  -H "$auth" -H 'Content-Type: text/csv' --data-binary @spots.csv

# And the other way.
curl "$api/lots/central/spots" -H 'Accept: text/csv' -o spots.csv
curl "$api/spots?format=geojson" -o spots.geojson
