#include "base/json_strict.h"
