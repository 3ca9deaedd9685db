#include "web/request.h"
