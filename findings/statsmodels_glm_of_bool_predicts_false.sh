#!/usr/bin/env bash
# statsmodels 0.15.0: a logistic regression of True and False predicts False: all signs are turned. (2026-11-30)
#
# A good guess: smf.glm("correct ~ coherence", trials, family=Binomial()) is the same for True and False as for
#               1 and 0: the probability of True, as in scikit-learn.
# Instead:      the formula makes two columns of a bool, correct[False] and correct[True], and Binomial takes
#               two columns as the numbers of successes and failures: False is the success. A network that is
#               better at higher coherence has a slope of -4.2 instead of 4.2, predict() is the probability of
#               an error, and the p-values, standard errors and deviance are the same as with 1 and 0. Nothing
#               is printed. pandas reads True and False of a CSV file as bool, so that the sign depends on how
#               the file was written. Answers as text take the first in the alphabet: "left ~ right" has the
#               sign of left. smf.logit refuses bool, and sm.GLM with arrays is right.
# What to do:   "correct.astype(int) ~ coherence"; check the name: result.model.endog_names has two columns.
. "$(dirname "$0")/packages.inc" numpy==2.4.6 scipy==1.17.1 pandas==3.1.1 statsmodels==0.15.0
observe <<'PYTHON'
import io

import numpy as np
import pandas as pd
import statsmodels
import statsmodels.api as sm
import statsmodels.formula.api as smf

random = np.random.default_rng(1)
coherence = random.uniform(0, 1, 400)
correct = random.random(400) < 1 / (1 + np.exp(-4 * coherence))
trials = pd.DataFrame({"coherence": coherence, "correct": correct, "number": correct.astype(int)})
trials["answer"] = np.where(correct, "right", "left")
trials = pd.read_csv(io.StringIO(trials.to_csv(index=False)))
strongest = pd.DataFrame({"coherence": [1.0]})
family = sm.families.Binomial()

print("statsmodels", statsmodels.__version__, "pandas", pd.__version__)
print(f"correct at coherence below 0.2: {correct[coherence < 0.2].mean():.0%}, above 0.8: {correct[coherence > 0.8].mean():.0%};",
      "type of the column in the file:", trials.correct.dtype)
fits = {}
for response in ("number", "correct", "answer", "correct.astype(int)"):
    fits[response] = fit = smf.glm(f"{response} ~ coherence", trials, family=family).fit()
    print(f"{response:20} slope {fit.params['coherence']:5.2f} +- {fit.bse['coherence']:.2f}, p = {fit.pvalues['coherence']:.0e},",
          f"deviance {fit.deviance:.1f}, predicted at coherence 1: {fit.predict(strongest)[0]:.2f}, response {fit.model.endog_names}")
by_array = sm.GLM(trials.correct, sm.add_constant(trials.coherence), family=family).fit()
print(f"sm.GLM of the bool column: slope {by_array.params['coherence']:.2f}")
right = fits["number"]
assert right.params["coherence"] > 2 and right.predict(strongest)[0] > 0.9
for response in ("correct", "answer"):
    assert np.allclose(fits[response].params, -right.params) and np.isclose(fits[response].deviance, right.deviance)
    assert fits[response].predict(strongest)[0] < 0.1
assert np.allclose(fits["correct.astype(int)"].params, right.params) and np.allclose(by_array.params, right.params.values)
try:
    smf.logit("correct ~ coherence", trials)
except ValueError as error:
    print("smf.logit:", str(error)[:76], "...")
else:
    raise SystemExit("smf.logit takes a bool")
PYTHON
