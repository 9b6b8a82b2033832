// A caching allocator behind NumPy's memory hook (NEP 49).
#include "rushlight.h"
