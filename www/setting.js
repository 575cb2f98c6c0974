/** @file One setting, changed by a program: refused with a sentence where a visitor's control could not have set it. */

import { datasetOf, misfitOf, modelOf, problemOf, specsByKey } from "./state.js";

/**
 * @import {Catalog, Spec, Value} from "./protocol.js"
 * @import {Experiment} from "./experiment.js"
 */

/**
 * @param {Experiment} experiment
 * @param {string} key A setting, `dataset`, `model` or `seed`.
 * @param {Value} value
 */
export function setOne(experiment, key, value) {
  const catalog = /** @type {Catalog} */ (experiment.catalog);
  const { current } = experiment;
  if (key === "dataset" || key === "model") {
    const ids = key === "model"
      ? catalog.models.filter((model) => !misfitOf(model, datasetOf(catalog, current), current)).map(({ id }) => id)
      : catalog.datasets.filter((dataset) => !dataset.file && !misfitOf(modelOf(catalog, current), dataset)).map(({ id }) => id);
    if (typeof value !== "string" || !ids.includes(value)) throw new Error(`${key} takes one of ${ids.join(", ")} here`);
    experiment.choose({ [key]: value });
    return;
  }
  const settings = specsByKey(catalog, current);
  const seed = /** @type {Spec} */ ({ key, kind: "integer", ...catalog.seed });
  const spec = key === "seed" ? seed : settings.get(key);
  if (!spec) throw new Error(`there is no setting "${String(key).slice(0, 40)}" here: there are seed, ${[...settings.keys()].join(", ")}`);
  const problem = problemOf(spec, value);
  if (problem) throw new Error(problem);
  experiment.change({ [key]: value });
}
