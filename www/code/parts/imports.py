import argparse
import json
import sys

import numpy as np
from safetensors import safe_open
