<?php

declare(strict_types=1);

namespace Example\Http;

use Closure;
use InvalidArgumentException;
use function array_key_exists, sprintf;

/**
 * Matches requests to handlers.
 */
#[Attribute(Attribute::TARGET_CLASS)]
final class Router implements \Countable
{
    use LogsThings;

    public const METHODS = ['GET', 'POST', 'PUT'];

    private const PAGE = <<<'HTML'
        <html>{ $not->interpolated }</html>
        HTML;

    /** @var array<string, Route[]> */
    private array $routes = [];

    public function __construct(
        private readonly Container $container,
        protected ?Cache $cache = null,
    ) {
    }

    public function count(): int
    {
        return array_sum(array_map('count', $this->routes));
    }

    #[Pure]
    public function add(string $method, string $pattern, callable|string $handler): self
    {
        if (!in_array($method, self::METHODS, true)) {
            throw new InvalidArgumentException(sprintf('unknown method "%s"', $method));
        } elseif ($pattern === '') {
            $pattern = '/';
        } else {
            $pattern = '/' . trim($pattern, '/');
        }
        $this->routes[$method][] = new Route($pattern, $handler);

        return $this;
    }

    public function dispatch(Request $request): Response
    {
        foreach ($this->routes[$request->method] ?? [] as $route) {
            $arguments = $route->match($request->path);
            if ($arguments === null) {
                continue;
            }
            try {
                $handler = $this->resolve($route->handler);
                return $handler($request, ...$arguments);
            } catch (NotFound | Gone $error) {
                return $this->failure(404, <<<TEXT
                    Nothing at {$request->path}: {$error->getMessage()}
                    TEXT);
            } finally {
                $this->log("handled {$request->method} $request->path");
            }
        }

        return $this->failure(404, self::PAGE);
    }

    private function resolve(callable|string $handler): Closure
    {
        if (is_string($handler)) {
            [$class, $method] = explode('@', $handler) + [1 => '__invoke'];
            $object = $this->container->get($class);
            return fn (Request $request, mixed ...$rest) => $object->$method($request, ...$rest);
        }

        return static function (Request $request, ...$rest) use ($handler): Response {
            $result = $handler($request, ...$rest);
            if ($result instanceof Response) {
                return $result;
            }
            return new Response(200, (string) $result);
        };
    }

    private function failure(int $status, string $body): Response
    {
        switch ($status) {
            case 404:
            case 410:
                $reason = 'Not Found';
                break;
            default:
                $reason = 'Error';
        }
        $retry = match (true) {
            $status >= 500 => 30,
            $status === 429 => 60,
            default => null,
        };

        return new Response($status, $body, ['reason' => $reason, 'retry' => $retry]);
    }
}
