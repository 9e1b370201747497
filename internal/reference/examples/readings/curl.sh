curl http://localhost:5000/api/v1/observations \
  -H "Authorization: Bearer $PARKWIRE_TOKEN" -H 'Content-Type: application/x-ndjson' \
  --data-binary @- <<'END'
{"spotId":"A-017","occupied":true,"observedAt":"2026-11-24T03:34:56Z","sensorId":"s-9f3"}
{"spotId":"A-018","occupied":false,"observedAt":"2026-11-24T03:34:57Z","sensorId":"s-9f4"}
END
