#include "web/response.h"
