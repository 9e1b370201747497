# The state first, then every change, until you end it. "Last-Event-ID" goes on where you were.
curl -N -H 'Accept: text/event-stream' 'http://localhost:5000/notifications?lot=central&snapshot=1'
