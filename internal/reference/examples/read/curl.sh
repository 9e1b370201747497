curl 'http://localhost:5000/api/v1/lots/central/summary'
curl 'http://localhost:5000/api/v1/spots?status=free&bbox=11.5,48.1,11.6,48.2&limit=1000'
curl 'http://localhost:5000/api/v1/spots?lot=central&updated_since=2026-11-24T03:00:00Z'
