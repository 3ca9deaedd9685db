#include "web/route.h"
