#include "process/board.h"
