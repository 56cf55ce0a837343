"""`hornbeam.ops.math` for type checkers and editors, which cannot see names that come from a table."""

from hornbeam.ops.fourier import (
    extract_sequences as extract_sequences,
    fft as fft,
    fft2 as fft2,
    ifft2 as ifft2,
    irfft as irfft,
    istft as istft,
    rfft as rfft,
    stft as stft,
    view_as_complex as view_as_complex,
    view_as_real as view_as_real,
)
from hornbeam.ops.linalg import (
    cdist as cdist,
    logdet as logdet,
)
from hornbeam.ops.ranking import (
    in_top_k as in_top_k,
    top_k as top_k,
)
from hornbeam.ops.segments import (
    segment_max as segment_max,
    segment_min as segment_min,
    segment_prod as segment_prod,
    segment_sum as segment_sum,
)
from hornbeam.ops.special import (
    erf as erf,
    erfc as erfc,
    erfinv as erfinv,
    logsumexp as logsumexp,
    rsqrt as rsqrt,
)
