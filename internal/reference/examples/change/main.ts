const key = crypto.randomUUID(); // one for each thing to be done, the same each time that it is tried
for (let pause = 1000; ; pause *= 2) {
  const answer = await fetch('http://localhost:5000/api/v1/spots/A-017/close', {
    method: 'POST',
    headers: { Authorization: `Bearer ${process.env.PARKWIRE_TOKEN}`, 'Idempotency-Key': key },
  }).catch(() => undefined);
  if (answer && answer.status < 500) {
    console.log(answer.status, answer.headers.get('ETag'));
    break;
  }
  await new Promise((resolve) => setTimeout(resolve, pause));
}
