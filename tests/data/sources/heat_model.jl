module HeatModel

using LinearAlgebra
using Statistics
import Base: show, length

export Grid, step!, run, report

const DEFAULT_ALPHA = 0.1
const BOUNDARIES = (:fixed, :periodic)

"""
    Grid(n; alpha)

Temperatures on a line of `n` points; `alpha` is the share that flows in a step.
"""
mutable struct Grid{T<:Real}
    values::Vector{T}
    alpha::T
    boundary::Symbol
    steps::Int
end

function Grid(n::Integer; alpha=DEFAULT_ALPHA, boundary=:fixed)
    boundary in BOUNDARIES || throw(ArgumentError("no such boundary: $boundary"))
    values = zeros(Float64, n)
    return Grid(values, alpha, boundary, 0)
end

length(grid::Grid) = length(grid.values)

show(io::IO, grid::Grid) = print(io, "Grid of ", length(grid), " after ", grid.steps, " steps")

# Neighbours outside of the grid have the temperature of its edge.
function neighbours(grid::Grid, i::Integer)
    n = length(grid)
    if grid.boundary == :periodic
        left = grid.values[mod1(i - 1, n)]
        right = grid.values[mod1(i + 1, n)]
    else
        left = grid.values[max(i - 1, 1)]
        right = grid.values[min(i + 1, n)]
    end
    return left, right
end

"""
    step!(grid)

One step of explicit Euler.
"""
function step!(grid::Grid)
    next = similar(grid.values)
    for i in eachindex(grid.values)
        left, right = neighbours(grid, i)
        flow = left - 2 * grid.values[i] + right
        next[i] = grid.values[i] + grid.alpha * flow
    end

    grid.values = next
    grid.steps += 1
    return grid
end

function run(grid::Grid; tolerance=1e-6, limit=10_000)
    before = copy(grid.values)
    while grid.steps < limit
        step!(grid)
        change = norm(grid.values - before)
        change < tolerance && break
        before .= grid.values
    end
    return grid
end

function load(path::AbstractString)
    try
        lines = readlines(path)
        numbers = parse.(Float64, filter(!isempty, lines))
        grid = Grid(length(numbers))
        grid.values .= numbers
        return grid
    catch error
        error isa SystemError || rethrow()
        @warn "cannot read the grid" path
        return Grid(1)
    finally
        @debug "load is over"
    end
end

macro timed(body)
    quote
        local started = time()
        local value = $(esc(body))
        println(time() - started, " s")
        value
    end
end

function report(grids)
    rows = map(grids) do grid
        mean = sum(grid.values) / length(grid)
        (grid.steps, mean, maximum(grid.values))
    end

    text = """
    steps  mean  max
    """
    for (steps, mean, top) in rows
        println(join((steps, mean, top), " "))
        text *= string(steps, "\n")
    end
    return text
end

end
