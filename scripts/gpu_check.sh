#!/usr/bin/env bash
# Runs every GPU test and the timings on a CUDA machine, in one go.
#   scripts/gpu_check.sh [WHEELS]   WHEELS: a folder of wheels, for a Python that has torch alone and no network
# Takes the Python of .venv where `make setup` made one, else python3, or $PYTHON.
# Leaves gpu-tests.xml and bench/bench.json in $OUT (default: the current folder).
set -euo pipefail
cd "$(dirname "$0")/.."
out=${OUT:-.}
python=${PYTHON:-$([ -x .venv/bin/python ] && echo .venv/bin/python || echo python3)}
if [ $# -gt 0 ]; then
  "$python" -m pip install --quiet --no-index --find-links "$1" \
    hydra-core omegaconf pandas numpy pyarrow scipy scikit-learn rich safetensors pillow pytest hypothesis
fi
export PYTHONPATH="$PWD/src"
"$python" -c 'import torch; assert torch.cuda.is_available(), "torch sees no CUDA device"'
"$python" -m pytest -m gpu --junitxml "$out/gpu-tests.xml"
"$python" -m prnn_cli bench bench=full hardware=gpu "hydra.run.dir=$out/bench"
