/** @file Opens what was once taken away: experiments, snapshots, weights. What is refused leaves everything as it is. */

import { Lost } from "../client.js";
import { Refused } from "../export/experiment-file.js";
import { kindOf, readFile } from "../export/bring-in.js";
import { messageOf } from "../protocol.js";
import { formatCount } from "../views/format.js";

/**
 * @import {Experiment} from "../experiment.js"
 * @import {Say} from "./file-drop.js"
 * @import {Translate} from "./texts.js"
 */

/**
 * @param {File} file
 * @param {{experiment: Experiment, t: Translate, say: Say}} desk
 * @returns {Promise<boolean>} Whether it was one of ours; else it may be data.
 */
export async function bring(file, { experiment, t, say }) {
  const { catalog } = experiment;
  const kind = await kindOf(file);
  if (!kind || !catalog) return false;
  const { name } = file;
  try {
    const brought = await readFile(catalog, file, kind);
    if (brought.kind === "experiment") {
      const { config, events, step } = brought.experiment;
      await experiment.open(config, { events, step });
      // A refusal was said where it happened.
      if (experiment.initial === config) say("info", t("ui.bring.experiment", { name, step: formatCount(step ?? 0) }));
      return true;
    }
    const { tensors, bytes } = brought;
    if (tensors.kind === "snapshot") await experiment.load("restore", bytes, { phase: tensors.phase });
    else await experiment.load("loadWeights", bytes, { config: tensors.config });
    say("info", t(`ui.bring.${tensors.kind}`, { name, step: formatCount(experiment.status.step) }));
  } catch (error) {
    const reason = error instanceof Refused ? t(`ui.bring.reasons.${error.key}`, error.vars) : messageOf(error);
    if (!(error instanceof Lost)) say("error", t("ui.bring.refused", { name, reason }));
  }
  return true;
}
