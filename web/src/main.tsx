import { render } from 'preact';

render(<h1>Parkwire</h1>, document.getElementById('app')!);
