using System.Collections.Concurrent;
using NicHost.EndToEnd.Tests.Lab;

namespace NicHost.EndToEnd.Tests.Guests;

/// <summary>The initramfs that tests/Guests/build-image.sh makes, built at most once per test run.</summary>
internal static class GuestImage
{
    private static readonly ConcurrentDictionary<string, Lazy<string>> s_images = new();

    public static string Of(string kind) => s_images.GetOrAdd(kind, static k => new(() =>
        Shell.Run(TimeSpan.FromMinutes(3), Repository.PathOf("tests/Guests/build-image.sh"), k).Trim())).Value;
}
