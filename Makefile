# Everything needs only Python 3.11 or later with its venv module, and whatever package index pip is set up for.
# 只需 Python 3.11 或更高版本（含 venv 模块）以及 pip 已配置好的软件包源。
#
# One environment, .venv, serves all: `make demo` installs requirements/run.lock into it, the other targets
# requirements/dev.lock, which holds the same pins and more. Stamps in .venv make a second run fast.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:
SHELL := /bin/sh
export PYTHONUTF8 := 1

# Settings of a shell or of pip that would bend a locked installation. The index and its certificates stay.
# Without bytecode every process the tests start would compile all that it imports again, some of them for seconds.
unexport PYTHONPATH PYTHONHOME PYTHONDONTWRITEBYTECODE PIP_USER PIP_TARGET PIP_PREFIX PIP_ROOT PIP_CONSTRAINT PIP_NO_BINARY PIP_PRE

# The newest supported Python that runs and can make an environment; a name on PATH alone proves neither.
FITS := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for python in python3.13 python3.12 python3.11 python3 python; do \
	"$$python" -c '$(FITS)' >/dev/null 2>&1 && { echo "$$python"; break; }; done)

VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip --disable-pip-version-check install --quiet --no-deps
LOCKED := $(INSTALL) --require-hashes --only-binary :all: --no-compile
DEMO_OUT ?= build/demo
PYTEST_ARGS ?=

.PHONY: help demo test test-deep lint bench page lock clean

help: ## show this list · 显示本列表
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1@\2/p' Makefile | awk -F@ '{ printf "%-18s %s\n", $$1, $$2 }'

demo: $(VENV)/.run ## make a draw, publish it, verify it · 作一次抽取，公布并复核
	@echo '==> dualrandom demo: draws from sample libraries, publishes the record and verifies it'
	@echo '    用示例名录作一次抽取，公布记录并加以复核'
	@$(BIN)/dualrandom demo --out $(DEMO_OUT) --force
	@echo '==> The results are in · 结果位于 $(DEMO_OUT)/'

test: $(VENV)/.dev ## run the tests · 运行测试
	@echo '==> pytest: all tests, reduced numbers of examples (make test-deep for the full ones)'
	@echo '    全部测试，样例数从简（完整样例数用 make test-deep）'
	@$(BIN)/pytest -q -n 3 --dist loadfile --no-loadscope-reorder $(PYTEST_ARGS)

test-deep: $(VENV)/.dev ## run the tests with full numbers of examples · 以完整样例数运行测试
	@echo '==> pytest: all tests, full numbers of examples; this takes long · 完整样例数，用时较长'
	@DUALRANDOM_DEEP=1 $(BIN)/pytest -q -n 2 --dist loadfile --no-loadscope-reorder $(PYTEST_ARGS)

lint: $(VENV)/.dev ## check style, types and who may import whom · 检查风格、类型与导入关系
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

bench: $(VENV)/.dev ## measure the figures of the README · 测量 README 中的数字
	@set -e; for script in benchmarks/[a-z]*.py; do \
		[ -e "$$script" ] || { echo 'No benchmarks here · 没有基准测试' >&2; exit 1; }; \
		echo "==> $$script"; $(BIN)/python "$$script"; \
	done

page: ## build the verifier page (needs Node) · 构建复核页面（需要 Node）
	cd api/web && npm ci --ignore-scripts && npm run build

lock: ## renew the hashed pins with uv · 用 uv 更新锁定文件
	"$(PYTHON)" -m venv --clear build/lock
	build/lock/bin/python -m pip --disable-pip-version-check install --quiet uv
	build/lock/bin/uv pip compile pyproject.toml --universal --python-version 3.11 --upgrade --quiet \
		--extra api --extra scale --group dev \
		--generate-hashes --no-header --no-annotate --output-file requirements/dev.lock
	build/lock/bin/uv pip compile pyproject.toml --universal --python-version 3.11 --upgrade --quiet \
		--extra api --group build --constraint requirements/dev.lock \
		--generate-hashes --no-header --no-annotate --output-file requirements/run.lock

clean: ## remove the environment and all that was built · 删除环境与全部生成物
	rm -rf $(VENV) build dist .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	find src solver api tests benchmarks docs fixtures -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

$(VENV)/.created:
	@[ -n "$(PYTHON)" ] && "$(PYTHON)" -c '$(FITS)' || { \
		echo 'No Python 3.11 or later with the venv module was found.' >&2; \
		echo 'Install one (Debian, Ubuntu: apt-get install python3-venv) or name it: make PYTHON=/path/to/python3.12' >&2; \
		echo '未找到带 venv 模块的 Python 3.11 或更高版本。' >&2; \
		echo '请安装（Debian、Ubuntu：apt-get install python3-venv），或指明：make PYTHON=/路径/python3.12' >&2; \
		exit 1; }
	@echo '==> $(VENV): a new environment · 新建环境'
	@"$(PYTHON)" -m venv $(VENV)
	@touch $@

$(VENV)/.run: requirements/run.lock $(VENV)/.created pyproject.toml
	@echo '==> $(VENV): installing requirements/run.lock, hashes checked · 安装并核对散列'
	@$(LOCKED) -r requirements/run.lock
	@$(INSTALL) --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements/dev.lock $(VENV)/.created pyproject.toml
	@echo '==> $(VENV): installing requirements/dev.lock, hashes checked · 安装并核对散列'
	@$(LOCKED) -r requirements/dev.lock
	@$(INSTALL) --no-build-isolation --editable .
	@touch $(VENV)/.run $@
