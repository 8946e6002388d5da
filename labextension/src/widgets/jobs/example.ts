import type { INotebookContent } from '@jupyterlab/nbformat';

const WORDS = `# A first background job

Select the cell below and press **Run as job** in its toolbar. It runs in a
process of its own: go on working, close the browser, restart Jupyter. Its
state, log and last picture stay here under the cell.`;

const CODE = `import time

import matplotlib.pyplot as plt
import numpy as np
from tqdm import tqdm

rng = np.random.default_rng(0)
loss = []
for epoch in tqdm(range(20), desc="epoch"):
    time.sleep(0.5)  # the training would be here
    loss.append(np.exp(-epoch / 6) + 0.05 * rng.random())

plt.plot(loss)
plt.xlabel("epoch")
plt.ylabel("loss")
plt.show()`;

/** A notebook that shows how to start a job. */
export function exampleNotebook(): INotebookContent {
  return {
    nbformat: 4,
    nbformat_minor: 5,
    metadata: {
      kernelspec: {
        name: 'python3',
        display_name: 'Python 3',
        language: 'python'
      },
      language_info: { name: 'python' }
    },
    cells: [
      { id: 'words', cell_type: 'markdown', metadata: {}, source: WORDS },
      {
        id: 'work',
        cell_type: 'code',
        metadata: {},
        execution_count: null,
        outputs: [],
        source: CODE
      }
    ]
  };
}
