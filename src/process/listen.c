#include "process/listen.h"
