#include "process/worker.h"
