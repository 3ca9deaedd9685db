#include "process/pool.h"
