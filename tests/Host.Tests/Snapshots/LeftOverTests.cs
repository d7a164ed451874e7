using VerifyXunit;

namespace NicHost.Host.Tests.Snapshots;

public sealed class LeftOverTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("nichost-left-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Accepted_file_without_its_class_method_or_case_is_found()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "Inner"));
        string[] right = ["LeftOverTests.Case_has_a_name_some.verified.txt", "LeftOverTests.Case_has_a_name_3.verified.txt", "Inner/LeftOverTests.Accepted_file_without_its_class_method_or_case_is_found.verified.json"];
        string[] wrong = ["Inner/LeftOverTests.Gone.verified.txt", "LeftOverTests.Case_has_a_name_other.verified.txt", "NoSuchTests.Case_has_a_name_some.verified.txt"];
        foreach (var name in right.Concat(wrong)) File.WriteAllText(Path.Combine(_folder, name), "");
        Assert.Equal(wrong, LeftOverSnapshots.Find(typeof(LeftOverTests).Assembly, _folder));
    }

    [Theory]
    [InlineData("folder/some.json", 3)]
    public void Case_has_a_name(string file, int number) => Assert.EndsWith($"{number}", $"{file}{number}", StringComparison.Ordinal);
}
