import chart from 'uplot/dist/uPlot.min.css';
import views from './views.css';

/** Style sheets the views need, to be adopted by the root they are mounted in. @type {string[]} */
export const viewStyles = [chart, views];
