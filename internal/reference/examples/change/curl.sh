# The key makes it safe to send this again when no answer came.
curl -X POST http://localhost:5000/api/v1/spots/A-017/close \
  -H "Authorization: Bearer $PARKWIRE_TOKEN" \
  -H 'Idempotency-Key: "019ab3c1-5d7b-7cc2-9b1e-0d5b6a1f2c3d"'

# Only if nobody else has changed it since it was read at version 42.
curl -X PATCH http://localhost:5000/api/v1/spots/A-017 \
  -H "Authorization: Bearer $PARKWIRE_TOKEN" -H 'If-Match: "42"' \
  -H 'Content-Type: application/merge-patch+json' -d '{"category":"accessible","name":null}'
