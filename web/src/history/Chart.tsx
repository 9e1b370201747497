import { effect } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { kiosk, theme } from '../shell/settings';
import { language } from '../text/language';
import { clock } from '../ui/clock';
import { isDense, optionsOf, type Drawing } from './options';
import { plotted } from './series';

const columns = ({ metrics: { items, asOf }, lines }: Drawing) => plotted(items, asOf, lines);

/** A chart for those who see it. What it shows is said in label, and in the table beside it. */
export function Chart({ drawing, label }: { drawing: Drawing; label: string }) {
  const figure = useRef<HTMLDivElement>(null);
  const latest = useRef(drawing);
  const plot = useRef<uPlot | undefined>(undefined);
  latest.current = drawing;
  const kinds = [...drawing.lines.map(({ key }) => key), isDense(drawing)].join(); // what uPlot takes once

  useEffect(() => {
    const target = figure.current!;
    const draw = () => {
      plot.current?.destroy();
      const { clientWidth: width, clientHeight: height } = target;
      plot.current = new uPlot({ ...optionsOf(() => latest.current, target), width, height }, columns(latest.current), target);
    };
    const size = new ResizeObserver(() => plot.current?.setSize({ width: target.clientWidth, height: target.clientHeight }));
    size.observe(target);
    // Another theme has other colours, a wall display another size of type, another language other words; at the next frame the document has them.
    let frame = 0;
    const look = effect(() => {
      void [theme.value, kiosk.value, language.value];
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(draw);
    });
    const present = effect(() => {
      void clock.value;
      plot.current?.redraw(false, false);
    });
    return () => {
      look();
      present();
      cancelAnimationFrame(frame);
      size.disconnect();
      plot.current?.destroy();
      plot.current = undefined;
    };
  }, [kinds]);

  useEffect(() => plot.current?.setData(columns(drawing)), [drawing]);

  return (
    <div class="chart" role="img" aria-label={label} dir="ltr" ref={figure} data-testid="chart">
      {drawing.lines.map(({ key }) => <i key={key} data-line={key} hidden />)}
    </div>
  );
}
