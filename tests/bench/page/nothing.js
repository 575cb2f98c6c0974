/** @file A contender that does nothing, for the page that measures the roof. */

export const start = () => {};
export const open = () => {
  throw new Error("there are no workloads here");
};
