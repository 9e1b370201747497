import { Parkwire } from 'parkwire-client';

const parkwire = new Parkwire('http://localhost:5000');
parkwire.subscribe({ lot: ['central'], snapshot: true }, (message) => {
  if (message.type !== 'snapshot' && message.type !== 'events') return;
  for (const { spotId, status } of message.events) console.log(spotId, status);
});
