#include "web/error.h"
